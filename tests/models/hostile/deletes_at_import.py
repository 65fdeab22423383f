# hostile: deletes files in a needed statement
# expect: 0 4
import os
import shutil
from torch import nn


def fresh_output_folder():
    os.remove('sentinel.txt')
    os.unlink(os.path.expanduser('~/sentinel.txt'))
    shutil.rmtree('folder')
    return 8


model = nn.Linear(fresh_output_folder(), 2)
