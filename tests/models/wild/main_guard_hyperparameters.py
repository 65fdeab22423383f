# wild: hyper-parameters as plain names inside if __name__ == "__main__"
# expect: checked
# parameters: 39649
import torch
import torch.nn as nn
import pandas as pd
from sklearn.preprocessing import MinMaxScaler


class StockLSTM(nn.Module):
    def __init__(self, input_dim, hidden_dim, num_layers, output_dim):
        super(StockLSTM, self).__init__()
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.lstm = nn.LSTM(input_dim, hidden_dim, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_dim, output_dim)

    def forward(self, x):
        h0 = torch.zeros(self.num_layers, x.size(0), self.hidden_dim).requires_grad_()
        c0 = torch.zeros(self.num_layers, x.size(0), self.hidden_dim).requires_grad_()
        out, (hn, cn) = self.lstm(x, (h0.detach(), c0.detach()))
        out = self.fc(out[:, -1, :])
        return out


def load(path, lookback):
    frame = pd.read_csv(path).sort_values('Date')
    price = MinMaxScaler(feature_range=(-1, 1)).fit_transform(frame['Close'].values.reshape(-1, 1))
    windows = [price[i: i + lookback] for i in range(len(price) - lookback)]
    return torch.tensor(windows).float()


if __name__ == "__main__":
    input_dim = 5
    hidden_dim = 96
    num_layers = 1
    output_dim = 1
    num_epochs = 100
    lookback = 20

    data = load("C:\\Users\\me\\Desktop\\AMZN.csv", lookback)
    x_train, y_train = data[:, :-1], data[:, -1]

    model = StockLSTM(input_dim=input_dim, hidden_dim=hidden_dim, output_dim=output_dim, num_layers=num_layers)
    criterion = nn.MSELoss(reduction='mean')
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for t in range(num_epochs):
        loss = criterion(model(x_train), y_train)
        print("Epoch ", t, "MSE: ", loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
