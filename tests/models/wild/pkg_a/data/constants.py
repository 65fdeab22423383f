import os

DATA_ROOT = os.environ.get('DATA_ROOT', '/srv/data/tiny')
NUM_CLASSES = 200
MEAN = (0.480, 0.448, 0.397)
