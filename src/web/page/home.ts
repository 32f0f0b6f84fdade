/** The script of the home page: checks the relay from the visitor's browser. */

import { CheckView } from './check-view.ts'
import { byId } from './dom.ts'
import './home.css'

new CheckView(byId('check'), 'Check from this browser', () => new URL('/derp', location.href))
