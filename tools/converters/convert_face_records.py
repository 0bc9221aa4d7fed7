"""Turn a folder of faces into insightface's record files, or back. Images stay byte for byte.

The same as ``amlfs_mm convert-face-records``.
"""

from amlfs_mm.cli.convert_face_records import main

if __name__ == '__main__':
    main()
