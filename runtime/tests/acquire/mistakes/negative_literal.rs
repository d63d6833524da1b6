use lockwise::acquire;

fn main() {
    let _guards = acquire!(-1);
}
