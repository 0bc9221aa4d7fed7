# Images of one of MegaFace's sets, aligned to 112 x 96, in $FACES; their features go to $FEATURES,
# in the devkit's files.
_base_ = ['./casia_webface.py']
faces = '{{$FACES:data/facescrub}}'
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root=faces,
        with_label=False,
        pipeline=_base_.test_pipeline,
    )
)
test_evaluator = dict(
    _delete_=True,
    type='amlfs_mm.MegaFaceFeatures',
    out_dir='{{$FEATURES:features/facescrub}}',
    image_root=faces,
)
