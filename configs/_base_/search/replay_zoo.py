# A schedule of losses in one training, stretched to its epochs. The environment variable SCHEDULE
# names another one: zoo:NAME, or a path.
custom_hooks = [
    dict(
        type='amlfs_mm.LossReplayHook',
        schedule='{{$SCHEDULE:zoo:fashion_mnist_noise40}}',
        transfer='stretch',
    )
]
