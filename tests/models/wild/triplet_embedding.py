# wild: triplet network that wraps an embedding network, forward(anchor, positive, negative)
# expect: checked
# parameters: 396740
import torch
import torch.nn as nn
import torch.nn.functional as F
import numpy as np


class EmbeddingNet(nn.Module):
    def __init__(self, embed_dim=64):
        super().__init__()
        self.convnet = nn.Sequential(nn.Conv2d(1, 32, 5), nn.PReLU(), nn.MaxPool2d(2, stride=2),
                                     nn.Conv2d(32, 64, 5), nn.PReLU(), nn.MaxPool2d(2, stride=2))
        self.fc = nn.Sequential(nn.Linear(64 * 4 * 4, 256), nn.PReLU(), nn.Linear(256, 256), nn.PReLU(), nn.Linear(256, embed_dim))

    def forward(self, x):
        output = self.convnet(x)
        output = output.view(output.size()[0], -1)
        return F.normalize(self.fc(output), dim=1)

    def get_embedding(self, x):
        return self.forward(x)


class TripletNet(nn.Module):
    def __init__(self, embedding_net):
        super().__init__()
        self.embedding_net = embedding_net

    def forward(self, anchor, positive, negative):
        return self.embedding_net(anchor), self.embedding_net(positive), self.embedding_net(negative)


class TripletLoss(nn.Module):
    def __init__(self, margin):
        super().__init__()
        self.margin = margin

    def forward(self, anchor, positive, negative):
        dp = (anchor - positive).pow(2).sum(1)
        dn = (anchor - negative).pow(2).sum(1)
        return F.relu(dp - dn + self.margin).mean()


def extract_embeddings(dataloader, model):
    with torch.no_grad():
        model.eval()
        embeddings = np.zeros((len(dataloader.dataset), 64))
        k = 0
        for images, target in dataloader:
            embeddings[k:k + len(images)] = model.get_embedding(images.cuda()).data.cpu().numpy()
            k += len(images)
    return embeddings


model = TripletNet(EmbeddingNet())
loss_fn = TripletLoss(margin=1.)
