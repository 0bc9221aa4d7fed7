# Images in random order, not by identity; 256 x 128, mirrored; Euclidean distance.
_base_ = ['./market1501.py']
train_dataloader = dict(batch_sampler=None, drop_last=True)
val_evaluator = dict(distance='euclidean')
test_evaluator = dict(distance='euclidean')
