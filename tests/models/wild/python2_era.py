# wild: Python-2-era style that still runs: coding line, Variable, volatile comments, init.xavier_normal_
# expect: checked
# parameters: 343088
#!/usr/bin/env python
# -*- coding: utf-8 -*-
from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import os, sys, time
try:
    import cPickle as pickle
except ImportError:
    import pickle

import numpy as np
import torch
import torch.nn as nn
from torch.autograd import Variable

if sys.version_info[0] > 2:
    xrange = range
    unicode = str

USE_GPU = 0
BATCH = 32


class SpeechLSTM(nn.Module):
	"""Acoustic model, 40 filterbanks -> 48 phones  (tabs, sorry)"""

	def __init__(self, nin = 40, nhid = 160, nlayer = 2, nphone = 48):
		nn.Module.__init__(self)
		self.nin = nin
		self.rnn = nn.LSTM(nin, nhid, nlayer, batch_first = True)
		self.top = nn.Linear(nhid, nphone)
		for name, w in self.rnn.named_parameters():
			if 'weight' in name:
				nn.init.xavier_normal_(w)
			else:
				nn.init.constant_(w, 0)
		nn.init.xavier_normal_(self.top.weight)

	def forward(self, x):
		h, _ = self.rnn(x)
		(b, t, d) = h.size()
		y = self.top(h.contiguous().view(b * t, d))
		return y.view(b, t, -1)


net = SpeechLSTM()
if USE_GPU:
	net.cuda()
print("net has", sum([np.prod(p.size()) for p in net.parameters()]), "weights")


def batches(fn):
	d = pickle.load(open(fn, 'rb'))
	for i in xrange(0, len(d['x']), BATCH):
		yield Variable(torch.from_numpy(d['x'][i:i+BATCH])), Variable(torch.from_numpy(d['y'][i:i+BATCH]))


if __name__ == "__main__":
	opt = torch.optim.SGD(net.parameters(), lr = 0.1, momentum = 0.9)
	for ep in xrange(int(sys.argv[1])):
		t0 = time.time()
		for x, y in batches(os.environ['HOME'] + '/timit/train.pkl'):
			out = net(x)
			loss = nn.CrossEntropyLoss()(out.view(-1, 48), y.view(-1))
			opt.zero_grad(); loss.backward(); opt.step()
		print("epoch %d: %.4f (%.1f sec)" % (ep, loss.item(), time.time() - t0))
