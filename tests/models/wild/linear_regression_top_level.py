# wild: trains at import, linear regression, saves a file at the end
# expect: checked
# parameters: 2
import torch
import torch.nn as nn
import numpy as np
import matplotlib.pyplot as plt

# settings
input_dim = 1
output_dim = 1
epochs = 80
lr = 0.002

# made-up measurements: hours of study vs. score
hours = np.array([[1.1], [2.5], [3.0], [3.9], [4.4], [5.2], [6.7],
                  [7.1], [7.8], [8.8], [9.3], [10.4]], dtype=np.float32)
score = np.array([[1.4], [2.2], [2.9], [3.1], [4.0], [4.1], [5.9],
                  [6.2], [6.6], [7.9], [8.3], [8.9]], dtype=np.float32)

model = nn.Linear(input_dim, output_dim)

criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=lr)

for epoch in range(epochs):
    inputs = torch.from_numpy(hours)
    targets = torch.from_numpy(score)

    outputs = model(inputs)
    loss = criterion(outputs, targets)

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

    if (epoch + 1) % 10 == 0:
        print('Epoch {:3d}/{} loss {:.4f}'.format(epoch + 1, epochs, loss.item()))

predicted = model(torch.from_numpy(hours)).detach().numpy()
plt.plot(hours, score, 'ro', label='measured')
plt.plot(hours, predicted, label='line')
plt.legend()
plt.show()

torch.save(model.state_dict(), 'linreg.ckpt')
