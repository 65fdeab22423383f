# wild: a dict of hyper-parameters at top level, read by key
# expect: checked
# parameters: 53249
import torch, torch.nn as nn

params = {
    'window':     30,
    'n_features': 9,
    'conv_out':   64,
    'gru_units':  100,
    'classes':    ['walk', 'run', 'sit', 'stand', 'stairs'],
    'lr':         1e-3,
}
params['n_classes'] = len(params['classes'])


class HAR(nn.Module):
    def __init__(self, p):
        super(HAR, self).__init__()
        self.p = p
        self.conv = nn.Conv1d(p['n_features'], p['conv_out'], kernel_size=5, padding=2)
        self.gru = nn.GRU(p['conv_out'], p['gru_units'], num_layers=p.get('gru_layers', 1),
                          batch_first=True, bidirectional=p.get('bidirectional', False))
        self.fc = nn.Linear(p['gru_units'], p['n_classes'])

    def forward(self, signal):
        # signal (N, window, features)
        z = torch.relu(self.conv(signal.transpose(1, 2))).transpose(1, 2)
        z, _ = self.gru(z)
        return self.fc(z[:, -1])


if __name__ == '__main__':
    from data_utils import load_har_windows
    X, Y = load_har_windows('UCI HAR Dataset', params['window'])
    model = HAR(params)
    opt = torch.optim.Adam(model.parameters(), lr=params['lr'])
    for it in range(1000):
        l = nn.CrossEntropyLoss()(model(X), Y)
        opt.zero_grad(); l.backward(); opt.step()
