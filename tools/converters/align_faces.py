"""Cut faces out of photos in one folder an identity, aligned by five landmarks.

The same as ``amlfs_mm align-faces``.
"""

from amlfs_mm.cli.align_faces import main

if __name__ == '__main__':
    main()
