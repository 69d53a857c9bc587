//! `bindgen FILE FOLDER`: a wasm file of rustc becomes a module that browsers load, `biggan_web`.

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(wasm), Some(folder)) = (args.next(), args.next()) else {
        panic!("bindgen FILE FOLDER");
    };
    let made = wasm_bindgen_cli_support::Bindgen::new()
        .input_path(wasm)
        .web(true)
        .and_then(|bindgen| {
            let bindgen = bindgen.out_name("biggan_web").typescript(true);
            // the wasm lies beside its module
            bindgen.omit_default_module_path(false).generate(folder)
        });
    if let Err(error) = made {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}
