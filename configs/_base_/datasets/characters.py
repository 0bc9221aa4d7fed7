# Characters in Market-1501's layout: a character is an identity, a typeface is its camera. Make
# them once, in seconds:
#   python tools/converters/make_character_identities.py data/characters
# 250 identities to train, of which 50, fixed by a seed, are D_v; 275 others to test. 48 x 48, made
# 24 x 24.
_base_ = ['./icons.py']
data_root = '{{$DATA_ROOT:data/characters}}'
data_preprocessor = dict(mean=[238.5] * 3, std=[55.3] * 3)
train_dataloader = dict(dataset=dict(data_root=data_root, held_out=0.2))
val_dataloader = dict(dataset=dict(data_root=data_root, held_out=0.2))
test_dataloader = dict(dataset=dict(data_root=data_root))
