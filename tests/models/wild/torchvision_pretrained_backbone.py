# wild: torchvision backbone with pretrained=True, frozen, new head, trains at top level
# expect: checked
# parameters: 11180103
import os
import copy
import torch
import torch.nn as nn
import torch.optim as optim
from torch.optim import lr_scheduler
from torchvision import datasets, models, transforms

os.environ['TORCH_HOME'] = '/data/models'
data_dir = 'data/skin_lesions'
lesion_type = {'nv': 'Melanocytic nevi', 'mel': 'Melanoma', 'bkl': 'Benign keratosis', 'bcc': 'Basal cell carcinoma',
               'akiec': 'Actinic keratoses', 'vasc': 'Vascular lesions', 'df': 'Dermatofibroma'}

tf = transforms.Compose([transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor()])
image_datasets = {x: datasets.ImageFolder(os.path.join(data_dir, x), tf) for x in ['train', 'val']}
dataloaders = {x: torch.utils.data.DataLoader(image_datasets[x], batch_size=4, shuffle=True, num_workers=4) for x in ['train', 'val']}
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")

model_ft = models.resnet18(pretrained=True)
num_ftrs = model_ft.fc.in_features
model_ft.fc = nn.Linear(num_ftrs, len(lesion_type))
model_ft = model_ft.to(device)

criterion = nn.CrossEntropyLoss()
optimizer_ft = optim.SGD(model_ft.parameters(), lr=0.001, momentum=0.9)
scheduler = lr_scheduler.StepLR(optimizer_ft, step_size=7, gamma=0.1)


def train_model(model, epochs=25):
    best = copy.deepcopy(model.state_dict())
    for epoch in range(epochs):
        for inputs, labels in dataloaders['train']:
            optimizer_ft.zero_grad()
            loss = criterion(model(inputs.to(device)), labels.to(device))
            loss.backward()
            optimizer_ft.step()
        scheduler.step()
    model.load_state_dict(best)
    return model


model_ft = train_model(model_ft)
torch.save(model_ft.state_dict(), 'resnet18_skin.pth')
