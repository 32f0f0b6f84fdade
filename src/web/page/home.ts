/** The home page alive: a check of the relay from where its visitor is. */

import { CheckView } from './check-view.ts'
import { byId } from './dom.ts'
import './home.css'

new CheckView(byId('check'), 'Check from this browser', () => new URL('/derp', location.href))
