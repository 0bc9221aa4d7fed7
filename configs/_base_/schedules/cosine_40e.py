# 40 epochs of SGD, the learning rate by a cosine to 0, a step an epoch.
_base_ = ['./cosine_30e.py']
param_scheduler = dict(T_max=40)
train_cfg = dict(max_epochs=40)
