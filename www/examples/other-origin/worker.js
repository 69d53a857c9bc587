/** The page's own worker: nothing but the package's. Import maps do not hold here. */

import "https://packages.example/lib/worker.js";
