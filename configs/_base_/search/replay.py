# One model, trained with the losses that a search found. The same config, seed and data give the
# same weights. --cfg-options custom_hooks.0.schedule=... custom_hooks.0.transfer=stretch
runner_type = 'amlfs_mm.LossSearchRunner'
loss_search = dict(replicas_per_candidate='all')
custom_hooks = [dict(type='amlfs_mm.LossReplayHook', schedule='loss_schedule.json')]
