/** Writes the tables and plots of docs/understand/scaling.md from the committed results of `npm run simulate:verify`. */

import { readScaling, writeScaling } from '../bench/region/scaling.ts'

writeScaling(readScaling())
