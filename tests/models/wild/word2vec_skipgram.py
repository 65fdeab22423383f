# wild: word2vec skip-gram with negative sampling, forward(center, context, negatives), tied init ranges
# expect: checked
import collections
import sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class SkipGramModel(nn.Module):
    def __init__(self, emb_size, emb_dimension):
        super(SkipGramModel, self).__init__()
        self.emb_size = emb_size
        self.emb_dimension = emb_dimension
        self.u_embeddings = nn.Embedding(emb_size, emb_dimension, sparse=False)
        self.v_embeddings = nn.Embedding(emb_size, emb_dimension, sparse=False)
        initrange = 1.0 / self.emb_dimension
        nn.init.uniform_(self.u_embeddings.weight.data, -initrange, initrange)
        nn.init.uniform_(self.v_embeddings.weight.data, -initrange, initrange)

    def forward(self, pos_u, pos_v, neg_v):
        emb_u = self.u_embeddings(pos_u)
        emb_v = self.v_embeddings(pos_v)
        emb_neg_v = self.v_embeddings(neg_v)
        score = torch.sum(torch.mul(emb_u, emb_v), dim=1)
        score = -F.logsigmoid(torch.clamp(score, max=10, min=-10))
        neg_score = torch.bmm(emb_neg_v, emb_u.unsqueeze(2)).squeeze(2)
        neg_score = -torch.sum(F.logsigmoid(-torch.clamp(neg_score, max=10, min=-10)), dim=1)
        return torch.mean(score + neg_score)

    def save_embedding(self, id2word, file_name):
        embeddings = self.u_embeddings.weight.cpu().data.numpy()
        with open(file_name, 'w') as f:
            f.write('%d %d\n' % (len(id2word), self.emb_dimension))
            for wid, w in id2word.items():
                f.write('%s %s\n' % (w, ' '.join(map(str, embeddings[wid]))))


class Word2VecTrainer:
    def __init__(self, input_file, output_file, emb_dimension=100, min_count=5):
        words = collections.Counter(open(input_file).read().split())
        self.id2word = dict(enumerate(w for w, c in words.items() if c >= min_count))
        self.output = output_file
        self.model = SkipGramModel(len(self.id2word), emb_dimension)
        if torch.cuda.is_available():
            self.model.cuda()

    def train(self):
        optimizer = torch.optim.SparseAdam(self.model.parameters(), lr=0.001)
        for _ in range(3):
            optimizer.zero_grad()
        self.model.save_embedding(self.id2word, self.output)


if __name__ == '__main__':
    w2v = Word2VecTrainer(input_file=sys.argv[1], output_file="out.vec")
    w2v.train()
