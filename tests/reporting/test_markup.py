from tf_layered_gan.reporting.markup import element, escape, table


def test_texts_and_attributes_are_escaped_but_markup_is_not():
    inner = element("b", '<i>&"')
    assert element("p", inner, title='"><script>') == (
        '<p title="&quot;&gt;&lt;script&gt;"><b>&lt;i&gt;&amp;&quot;</b></p>'
    )


def test_attributes():
    made = element("input", type="range", class_="x", aria_label="y", disabled=True, hidden=False, value=None, max=3)
    assert made == '<input type="range" class="x" aria-label="y" disabled max="3">'


def test_control_characters_and_bytes_that_are_not_utf8_become_codes():
    assert escape("caf\udce9\x00\u202e.jpg") == "caf\\udce9\\x00\\u202e.jpg"
    escape("caf\udce9").encode()


def test_table_has_a_caption_and_headings():
    made = table(["run", "IoU"], [["a", "0.5"]], "Figures")
    assert "<caption>Figures</caption>" in made
    assert '<th scope="col">IoU</th>' in made and '<th scope="row">a</th><td>0.5</td>' in made
