//! Prints what each operation of a pack says about itself, for training an encoder: `service/Operation<TAB>sentence` a line.
//!
//! `cargo run -p silverback-catalogue --example sentences -- PACK`

#![allow(clippy::print_stdout)]

use silverback_catalogue::Pack;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("give the path of a pack")?;
    let pack = Pack::open(path)?;
    for (index, sentence) in (0..).zip(pack.sentences()?) {
        let (service, name) = pack.name(index).ok_or("an operation without a name")?;
        println!("{service}/{name}\t{}", sentence.replace(['\t', '\n'], " "));
    }
    Ok(())
}
