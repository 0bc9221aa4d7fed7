# PCB's input: 384 x 128, mirrored, in random order; Euclidean distance.
_base_ = ['./market1501_mgn.py']
train_dataloader = dict(batch_sampler=None, drop_last=True)
