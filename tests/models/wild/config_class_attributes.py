# wild: config is a class whose attributes are read, never instantiated
# expect: checked
# parameters: 3307154
import torch
import torch.nn as nn


class Config(object):
    """配置参数"""
    model_name = 'BiLSTM_Att'
    train_path = './THUCNews/data/train.txt'
    vocab_path = './THUCNews/data/vocab.pkl'
    save_path = './saved_dict/' + model_name + '.ckpt'
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')

    dropout = 0.5
    num_classes = 2
    n_vocab = 9500                      # 词表大小
    embed = 300
    hidden_size = 128
    num_layers = 1
    hidden_size2 = 64


class Model(nn.Module):
    def __init__(self, config):
        super(Model, self).__init__()
        self.embedding = nn.Embedding(config.n_vocab, config.embed, padding_idx=config.n_vocab - 1)
        self.lstm = nn.LSTM(config.embed, config.hidden_size, config.num_layers, bidirectional=True, batch_first=True)
        self.tanh1 = nn.Tanh()
        # self.u = nn.Parameter(torch.Tensor(config.hidden_size * 2, config.hidden_size * 2))
        self.w = nn.Parameter(torch.zeros(config.hidden_size * 2))
        self.fc1 = nn.Linear(config.hidden_size * 2, config.hidden_size2)
        self.fc = nn.Linear(config.hidden_size2, config.num_classes)

    def forward(self, x):
        emb = self.embedding(x)
        H, _ = self.lstm(emb)
        M = self.tanh1(H)
        alpha = torch.softmax(torch.matmul(M, self.w), dim=1).unsqueeze(-1)
        out = torch.sum(H * alpha, 1)
        out = torch.relu(out)
        out = self.fc1(out)
        return self.fc(out)


def evaluate(config, model, data_iter):
    model.eval()
    with torch.no_grad():
        for texts, labels in data_iter:
            outputs = model(texts.to(config.device))
            print(outputs.argmax(1).eq(labels).float().mean())
