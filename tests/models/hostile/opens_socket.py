# hostile: connects to a port in a needed statement
# expect: 0 4
import os
import socket
from torch import nn


def fetch_width():
    port = int(os.environ.get('HOSTILE_PORT', '9'))
    with socket.create_connection(('127.0.0.1', port), timeout=5) as link:
        link.sendall(b'secret')
    return 8


model = nn.Linear(fetch_width(), 2)
