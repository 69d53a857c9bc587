/** The wasm builds, where they are not there yet: the types are checked without them. */
declare module "*/biggan_web.js" {
  export type Engine = any;
  const load: any;
  export default load;
  export const watchFaults: any;
  export const Engine: any;
  export const trainingNeed: any;
}
