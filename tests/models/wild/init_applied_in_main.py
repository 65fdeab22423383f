# wild: net.apply(init) inside main after construction, the init is too large
# expect: checked
# parameters: 263818
# fault: IC202
import argparse
import torch
import torch.nn as nn


def weights_init(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight.data, 0.0, 1.0)
        if m.bias is not None:
            m.bias.data.fill_(0)


class Classifier(nn.Module):
    def __init__(self, n_in=784, n_hidden=192, n_out=10, n_layers=3):
        super(Classifier, self).__init__()
        blocks = [nn.Linear(n_in, n_hidden), nn.ReLU(True)]
        for i in range(n_layers - 1):
            blocks.append(nn.Linear(n_hidden, n_hidden))
            blocks.append(nn.ReLU(True))
        blocks.append(nn.Linear(n_hidden, n_out))
        self.main = nn.Sequential(*blocks)

    def forward(self, x):
        return self.main(x.view(x.size(0), -1))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--epochs', default=10, type=int)
    ap.add_argument('--gpu', default=0, type=int)
    opt = ap.parse_args()
    print(opt)

    net = Classifier(n_layers=4)
    net.apply(weights_init)
    net = net.cuda(opt.gpu)
    net.train()

    from torchvision.datasets import MNIST
    from torchvision.transforms import ToTensor
    ds = MNIST('/tmp/mnist', download=True, transform=ToTensor())
    dl = torch.utils.data.DataLoader(ds, 64, shuffle=True)
    sgd = torch.optim.SGD(net.parameters(), 0.1)
    for e in range(opt.epochs):
        for img, lab in dl:
            sgd.zero_grad()
            nn.CrossEntropyLoss()(net(img.cuda()), lab.cuda()).backward()
            sgd.step()
        print('epoch', e, 'done')


if __name__ == '__main__':
    main()
