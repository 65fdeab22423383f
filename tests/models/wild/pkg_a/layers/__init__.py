from .block import Block
from .initialisation import init_layer
