"""What printed OCaml brings along where it uses it: lists that grow, and some functions of texts."""

from typing import Final

HELPERS: Final = {
    "vec": "type 'a vec = { mutable items : 'a array; mutable size : int }\n",
    "vec_of": "let vec_of (items : 'a array) : 'a vec = { items; size = Array.length items }\n",
    "vec_make": "let vec_make count item : 'a vec = { items = Array.make count item; size = count }\n",
    "vec_init": "let vec_init count f : 'a vec = { items = Array.init count f; size = count }\n",
    "vec_length": "let vec_length (v : 'a vec) = v.size\n",
    "vec_get": """\
let vec_get (v : 'a vec) i = if i < v.size then v.items.(i) else invalid_arg "index"
""",
    "vec_set": """\
let vec_set (v : 'a vec) i item = if i < v.size then v.items.(i) <- item else invalid_arg "index"
""",
    "vec_push": """\
let vec_push (v : 'a vec) item =
  if v.size = Array.length v.items then
    v.items <- Array.append v.items (Array.make (v.size + 1) item);
  v.items.(v.size) <- item;
  v.size <- v.size + 1
""",
    "vec_pop": """\
let vec_pop (v : 'a vec) =
  v.size <- v.size - 1;
  v.items.(v.size)
""",
    "vec_to_array": "let vec_to_array (v : 'a vec) = Array.sub v.items 0 v.size\n",
    "vec_to_list": "let vec_to_list (v : 'a vec) = Array.to_list (vec_to_array v)\n",
    "vec_iter": "let vec_iter f (v : 'a vec) = Array.iter f (vec_to_array v)\n",
    "vec_copy": "let vec_copy (v : 'a vec) : 'a vec = vec_of (vec_to_array v)\n",
    "vec_copy_rows": "let vec_copy_rows (v : 'a vec vec) = vec_of (Array.map vec_copy (vec_to_array v))\n",
    "vec_append": """\
let vec_append (left : 'a vec) (right : 'a vec) =
  vec_of (Array.append (vec_to_array left) (vec_to_array right))
""",
    "vec_slice": "let vec_slice (v : 'a vec) first last = vec_of (Array.sub v.items first (last - first))\n",
    "vec_sorted": """\
let vec_sorted (v : 'a vec) =
  let items = vec_to_array v in
  Array.stable_sort compare items;
  vec_of items
""",
    "vec_reversed": """\
let vec_reversed (v : 'a vec) = vec_init v.size (fun i -> v.items.(v.size - 1 - i))
""",
    "vec_contains": "let vec_contains (v : 'a vec) item = Array.mem item (vec_to_array v)\n",
    "floor_div": """\
let floor_div a b =
  let quotient = a / b in
  if a mod b <> 0 && a < 0 <> (b < 0) then quotient - 1 else quotient
""",
    "floor_mod": """\
let floor_mod a b =
  let rest = a mod b in
  if rest <> 0 && rest < 0 <> (b < 0) then rest + b else rest
""",
    "text_slice": "let text_slice text first last = String.sub text first (last - first)\n",
    "text_reversed": """\
let text_reversed text =
  let size = String.length text in
  String.init size (fun i -> text.[size - 1 - i])
""",
    "text_contains": """\
let text_contains text wanted =
  let size = String.length wanted in
  let rec search at =
    at + size <= String.length text && (String.sub text at size = wanted || search (at + 1))
  in
  search 0
""",
    "text_split": """\
let text_split text =
  let words = List.filter (fun word -> word <> "") (String.split_on_char ' ' text) in
  vec_of (Array.of_list words)
""",
    "sorted_keys": """\
let sorted_keys map =
  let keys = Array.of_list (Hashtbl.fold (fun key _ found -> key :: found) map []) in
  Array.stable_sort compare keys;
  vec_of keys
""",
    "read_line": "let read_line () = input_line stdin\n",
    "read_word": 'let read_word () = Scanf.scanf " %s" (fun word -> word)\n',
    "read_int": "let read_int () = int_of_string (read_word ())\n",
}
HELPERS_OF_LINES: Final = {
    "read_word": """\
let pending = ref []

let rec read_word () =
  match !pending with
  | word :: rest ->
      pending := rest;
      word
  | [] ->
      pending := List.filter (fun word -> word <> "") (String.split_on_char ' ' (read_line ()));
      read_word ()
""",
}
