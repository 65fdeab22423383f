from .models import build_model

__version__ = '0.2'
