# Not in the paper. PCB with AM-LFS on DukeMTMC-reID. One theta for its six softmax losses.
#   tools/dist_train.sh configs/amlfs_pcb_duke.py 32
# Cost: 32 x the baseline's compute.
# Expected: no number in the paper.
_base_ = ['./baseline_pcb_duke.py', './_base_/search/amlfs_reid.py']
loss_search = dict(replicas_per_candidate=1)  # batch_size is that of a process
classifier = dict(type='amlfs_mm.AMLFSHead', num_intervals=6)
model = dict(head=dict(classifier=classifier))
