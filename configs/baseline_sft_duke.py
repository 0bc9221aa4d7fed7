# Paper: Table 5, "SFT", on DukeMTMC-reID.
#   tools/dist_train.sh configs/baseline_sft_duke.py 1
# Cost: 140 epochs of 39 iterations of batch 128.
# Expected: 73.2 % mAP, 86.9 % rank-1 (paper's numbers, which have all training identities:
# held_out=0).
_base_ = ['./baseline_sft_market.py']
model = dict(head=dict(num_classes=632))  # 702 less 10 %
train_dataloader = dict(dataset=dict(source='dukemtmcreid'))
val_dataloader = dict(dataset=dict(source='dukemtmcreid'))
test_dataloader = dict(dataset=dict(source='dukemtmcreid'))
