# MS1MV3 as insightface publishes it: $DATA_ROOT/ms1m-retinaface-t1 with train.rec, train.idx,
# property and lfw.bin, 112 x 112. 1 % of the 93,431 identities, fixed by seed, are D_v. Batches of
# 128 a process, passes over all images.
_base_ = ['./casia_webface.py']
record = _base_.data_root + '/ms1m-retinaface-t1'
train_dataloader = dict(
    dataset=dict(data_root=record, held_out=0.01, exclude=[]),
    batch_sampler=None,
    drop_last=True,
)
val_dataloader = dict(dataset=dict(data_root=record, held_out=0.01, exclude=[]))
test_dataloader = dict(dataset=dict(pairs=record + '/lfw.bin', data_root=None))
