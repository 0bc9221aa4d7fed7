"""Turn a folder of faces into insightface's record files, or back. Images stay byte for byte.

amlfs_mm convert-face-records to-record data/CASIA-WebFace data/casia_rec
amlfs_mm convert-face-records to-folder data/ms1m-retinaface-t1 data/ms1m
"""

import argparse
from collections.abc import Sequence

from amlfs_mm.datasets.faces.face_sources import LEAST_MATCHED
from amlfs_mm.datasets.faces.preparation.face_conversion import folder_to_record, record_to_folder
from amlfs_mm.utils.command_line import errors_as_messages


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    to_record = commands.add_parser('to-record', help='<identity>/<image> to record files')
    to_record.add_argument('source', help='the folder with the identities')
    to_record.add_argument('target', help='a new folder for train.rec, train.idx and property')
    to_record.add_argument(
        '--exclude',
        nargs='+',
        default=(),
        metavar='FILE',
        help='lists of identities to leave out, one name a line',
    )
    to_record.add_argument('--keep', metavar='FILE', help='a list of identities to keep')
    to_record.add_argument(
        '--least-matched',
        type=float,
        default=LEAST_MATCHED,
        metavar='SHARE',
        help="the share of a list's identities that must be in the folder (default 1/3)",
    )
    to_folder = commands.add_parser('to-folder', help='record files to <label>/<number>')
    to_folder.add_argument('source', help='the folder with train.rec, train.idx and property')
    to_folder.add_argument('target', help='a new folder for the images')
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    with errors_as_messages():
        if args.command == 'to-record':
            identities, images = folder_to_record(
                args.source, args.target, args.exclude, args.keep, args.least_matched
            )
        else:
            identities, images = record_to_folder(args.source, args.target)
    print(f'{args.target}: {images} images of {identities} identities')
