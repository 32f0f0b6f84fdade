import { strykerOptions } from './stryker-options.mjs'

export default strykerOptions('edges', ['src/listen/**/*.ts', 'src/backplane/**/*.ts'])
