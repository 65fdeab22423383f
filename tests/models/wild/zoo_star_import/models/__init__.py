from .dense import *
from .plain import *
