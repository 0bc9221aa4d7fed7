"""Cut faces out of photos in one folder an identity, aligned by five landmarks.

amlfs_mm align-faces photos faces --size 112x96 --landmarks landmarks.txt
amlfs_mm align-faces photos faces --size 112x112 \\
    --detector ~/.insightface/models/buffalo_l/det_10g.onnx

A line of landmarks.txt is an image's path below the folder and ten numbers: x and y of the left
eye, the right eye, the nose, the left and the right corner of the mouth. Left and right are those
of the picture. Images without landmarks, without a face, or that cannot be decoded are left out and
listed in skipped.txt. If fewer than a third of a list's images are in the folder, that is an error.
"""

import argparse
from collections.abc import Sequence

from amlfs_mm.datasets.faces.preparation.face_alignment import align_folder
from amlfs_mm.datasets.faces.preparation.face_landmarks import LandmarkDetector, LandmarkList
from amlfs_mm.utils.command_line import errors_as_messages
from amlfs_mm.utils.paths import user_path


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=user_path, help='the folder with <identity>/<photo>')
    parser.add_argument('target', type=user_path, help='a new folder for <identity>/<photo>.png')
    parser.add_argument('--size', choices=('112x112', '112x96'), default='112x112', help='H x W')
    landmarks = parser.add_mutually_exclusive_group(required=True)
    landmarks.add_argument('--landmarks', metavar='FILE', help='a file of landmarks')
    landmarks.add_argument('--detector', metavar='FILE', help="insightface's det_*.onnx")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    size = tuple(int(side) for side in args.size.split('x'))
    with errors_as_messages():
        if args.detector:
            find_landmarks = LandmarkDetector(args.detector)
        else:
            find_landmarks = LandmarkList(args.landmarks)
        aligned, skipped = align_folder(args.source, args.target, find_landmarks, size)
    print(f'\n{args.target}: {aligned} faces; {len(skipped)} images skipped, see skipped.txt')
