use lockwise::acquire;

fn main() {
    let text = String::from("no lock");
    let _guards = acquire!(text);
}
