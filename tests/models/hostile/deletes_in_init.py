# hostile: deletes and overwrites files while the model is built, hides the errors
# expect: 0 4
import os
import pathlib
import shutil
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        for act in (
            lambda: os.remove('sentinel.txt'),
            lambda: pathlib.Path('~/sentinel.txt').expanduser().unlink(),
            lambda: os.replace('folder/inside.txt', 'folder/moved.txt'),
            lambda: os.truncate('sentinel.txt', 0),
            lambda: open('sentinel.txt', 'w').write('gone'),
            lambda: pathlib.Path('new.txt').write_text('new'),
            lambda: os.mkdir('made'),
            lambda: os.symlink('sentinel.txt', 'link'),
            lambda: os.chmod('sentinel.txt', 0o777),
            lambda: shutil.rmtree('folder'),
        ):
            try:
                act()
            except Exception as error:
                print(type(error).__name__)

    def forward(self, x):
        return self.fc(x)
