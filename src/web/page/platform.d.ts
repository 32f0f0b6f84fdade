/** Of Node; shared code uses it where it is there. */
declare const setImmediate: ((callback: () => void) => unknown) | undefined
