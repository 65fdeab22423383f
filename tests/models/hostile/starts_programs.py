# hostile: starts programs in every way there is, hides the errors
# expect: 0 4
import os
import subprocess
from torch import nn


def detect():
    for act in (
        lambda: os.system('touch started_by_system'),
        lambda: subprocess.run(['touch', 'started_by_run'], check=False),
        lambda: os.popen('touch started_by_popen').read(),
        lambda: os.posix_spawn('/usr/bin/touch', ['touch', 'started_by_spawn'], os.environ),
        lambda: os.spawnlp(os.P_WAIT, 'touch', 'touch', 'started_by_spawnlp'),
    ):
        try:
            act()
        except Exception as error:
            print(type(error).__name__)
    return 8


model = nn.Linear(detect(), 2)
