from .net import ResidualNet, build_model

__all__ = ['ResidualNet', 'build_model']
