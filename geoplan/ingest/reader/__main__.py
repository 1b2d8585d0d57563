"""Entry of the reading process; see :mod:`geoplan.ingest.reader.child`."""

import sys

from geoplan.ingest.reader.child import main

sys.exit(main())
