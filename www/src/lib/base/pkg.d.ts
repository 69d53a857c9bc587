/** Declares the wasm builds, so that types can be checked before they are built. */
declare module "*/biggan_web.js" {
  export type Engine = any;
  const load: any;
  export default load;
  export const watchFaults: any;
  export const Engine: any;
  export const trainingNeed: any;
  export const Square: any;
  export const kindOf: any;
  export const kindBytes: any;
  export const mostFileBytes: any;
}
