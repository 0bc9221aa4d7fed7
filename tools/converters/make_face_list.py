"""A list of images as MegaFace's devkit has them, from a folder.

The same as ``amlfs_mm make-face-list``.
"""

from amlfs_mm.cli.make_face_list import main

if __name__ == '__main__':
    main()
