import { strykerOptions } from './stryker-options.mjs'

export default strykerOptions('core', ['src/protocol/**/*.ts', 'src/server/**/*.ts'])
