# wild: unittest file at the bottom of the module builds the net with real numbers
# expect: checked
# parameters: 44537
import unittest
import torch
from torch import nn


class ConvLSTMCell(nn.Module):
    def __init__(self, input_dim, hidden_dim, kernel_size, bias):
        super(ConvLSTMCell, self).__init__()
        self.hidden_dim = hidden_dim
        padding = kernel_size[0] // 2, kernel_size[1] // 2
        self.conv = nn.Conv2d(input_dim + hidden_dim, 4 * hidden_dim, kernel_size, padding=padding, bias=bias)

    def forward(self, input_tensor, cur_state):
        h_cur, c_cur = cur_state
        i, f, o, g = torch.split(self.conv(torch.cat([input_tensor, h_cur], dim=1)), self.hidden_dim, dim=1)
        c_next = torch.sigmoid(f) * c_cur + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c_next), c_next

    def init_hidden(self, batch_size, image_size):
        height, width = image_size
        zeros = torch.zeros(batch_size, self.hidden_dim, height, width, device=self.conv.weight.device)
        return zeros, zeros.clone()


class ConvLSTM(nn.Module):
    """Input: 5-D tensor (b, t, c, h, w). Output: last hidden maps per layer."""

    def __init__(self, input_dim, hidden_dim, kernel_size, num_layers, bias=True):
        super(ConvLSTM, self).__init__()
        if not len(hidden_dim) == num_layers:
            raise ValueError('Inconsistent list length.')
        dims = [input_dim] + hidden_dim
        self.cell_list = nn.ModuleList([ConvLSTMCell(dims[i], dims[i + 1], kernel_size, bias) for i in range(num_layers)])
        self.out = nn.Conv2d(dims[-1], input_dim, 1)

    def forward(self, frames):
        b, t, _, h, w = frames.size()
        seq = frames
        for cell in self.cell_list:
            state, outs = cell.init_hidden(b, (h, w)), []
            for k in range(t):
                state = cell(seq[:, k], state)
                outs.append(state[0])
            seq = torch.stack(outs, dim=1)
        return self.out(seq[:, -1])


class TestConvLSTM(unittest.TestCase):
    def test_shape(self):
        net = ConvLSTM(1, [16, 24], (3, 3), 2, True)
        self.assertEqual(net(torch.rand(2, 5, 1, 20, 20)).shape, (2, 1, 20, 20))


if __name__ == '__main__':
    unittest.main()
