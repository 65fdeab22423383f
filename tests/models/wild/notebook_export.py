# wild: notebook exported to .py, In[] markers, get_ipython() calls, cells that display things
# expect: checked
# parameters: 242762
#!/usr/bin/env python
# coding: utf-8

# # Fashion MNIST with dropout
# Homework 3, deep learning course

# In[1]:


get_ipython().run_line_magic('matplotlib', 'inline')
get_ipython().run_line_magic('load_ext', 'autoreload')
get_ipython().system('nvidia-smi')
get_ipython().system('pip install -q torchsummary')
import torch
import torch.nn as nn
import torch.nn.functional as F
import matplotlib.pyplot as plt
import seaborn as sns
from torchvision import datasets, transforms


# In[2]:


from google.colab import drive
drive.mount('/content/drive')
get_ipython().run_line_magic('cd', '/content/drive/MyDrive/hw3')


# In[3]:


transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
trainset = datasets.FashionMNIST('~/.pytorch/F_MNIST_data/', download=True, train=True, transform=transform)
trainloader = torch.utils.data.DataLoader(trainset, batch_size=64, shuffle=True)
images, labels = next(iter(trainloader))
images.shape


# In[4]:


plt.imshow(images[0].numpy().squeeze(), cmap='Greys_r');


# In[7]:


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 256)
        self.fc2 = nn.Linear(256, 128)
        self.fc3 = nn.Linear(128, 64)
        self.fc4 = nn.Linear(64, 10)
        self.dropout = nn.Dropout(p=0.2)

    def forward(self, x):
        # make sure input tensor is flattened
        x = x.view(x.shape[0], -1)
        x = self.dropout(F.relu(self.fc1(x)))
        x = self.dropout(F.relu(self.fc2(x)))
        x = self.dropout(F.relu(self.fc3(x)))
        return F.log_softmax(self.fc4(x), dim=1)


# In[8]:


model = Classifier()
model


# In[12]:


criterion = nn.NLLLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
losses = []
for e in range(5):
    for images, labels in trainloader:
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())


# In[13]:


sns.lineplot(losses)
get_ipython().run_cell_magic('time', '', 'torch.save(model.state_dict(), "checkpoint.pth")\n')
