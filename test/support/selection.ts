/** `npm test` leaves out what takes long and differs little from what it runs; `npm run test:all` runs that as well. */
export const RUNS_ALL: boolean = process.env['DERPHTTP_TESTS'] === 'all'
