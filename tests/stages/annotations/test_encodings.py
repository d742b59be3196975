"""Bytes to text: the right encoding, or an error, never other letters than were written."""

import codecs

import pytest

from stages.annotations.encodings import decode_text
from stages.annotations.text import AnnotationError

# By language: an encoding of old files, and eight lines.
LINES = {
    "cs": (
        "cp1250",
        "Dobrý den, jak se máte?|Nevím, co mám dělat s tím koněm.|Přijdeš dnes večer domů?|Už je příliš pozdě."
        "|To není možné, já jsem ho viděl.|Prosím tě, počkej na mě.|Kde jsou moje klíče?|Musíme jít, než přijde otec.",
    ),
    "pl": (
        "cp1250",
        "Dzień dobry, jak się masz?|Nie wiem, co mam zrobić.|Gdzie są moje klucze?|Przyjdziesz dziś do domu?"
        "|To niemożliwe, widziałem go wczoraj.|Proszę, poczekaj na mnie.|Jest już za późno.|Musimy już iść, ojcze.",
    ),
    "ru": (
        "cp1251",
        "Здравствуйте, как дела?|Я не знаю, что мне делать.|Где мои ключи?|Ты придёшь сегодня домой?"
        "|Это невозможно, я видел его вчера.|Пожалуйста, подожди меня.|Уже слишком поздно.|Нам надо идти.",
    ),
    "he": (
        "cp1255",
        "שלום, מה שלומך?|אני לא יודע מה לעשות.|איפה המפתחות שלי?|אתה בא הביתה הערב?"
        "|זה בלתי אפשרי, ראיתי אותו אתמול.|בבקשה, חכה לי.|כבר מאוחר מדי.|אנחנו חייבים ללכת לפני שאבא שלי יבוא.",
    ),
    "ar": (
        "cp1256",
        "مرحبا، كيف حالك؟|لا أعرف ماذا أفعل.|أين مفاتيحي؟|هل ستأتي إلى البيت هذا المساء؟"
        "|هذا مستحيل، لقد رأيته أمس.|من فضلك انتظرني.|لقد فات الأوان.|يجب أن نذهب قبل أن يأتي أبي.",
    ),
    "tr": (
        "cp1254",
        "Merhaba, nasılsınız?|Ne yapacağımı bilmiyorum.|Anahtarlarım nerede?|Bu akşam eve gelecek misin?"
        "|Bu imkânsız, onu dün gördüm.|Lütfen beni bekle.|Artık çok geç.|Babam gelmeden önce gitmemiz gerekiyor.",
    ),
    "th": (
        "cp874",
        "สวัสดี คุณสบายดีไหม|ฉันไม่รู้ว่าจะทำอย่างไร|กุญแจของฉันอยู่ที่ไหน|คืนนี้คุณจะกลับบ้านไหม"
        "|มันเป็นไปไม่ได้ ฉันเห็นเขาเมื่อวาน|กรุณารอฉันด้วย|มันสายเกินไปแล้ว|เราต้องไปก่อนที่พ่อของฉันจะมา",
    ),
    "zh": (
        "gb18030",
        "你好，你怎么样？|我不知道该怎么办。|我的钥匙在哪里？|你今晚回家吗？"
        "|这不可能，我昨天看见他了。|请等等我。|已经太晚了。|我们得在我父亲来之前离开。",
    ),
    "zh-TW": (
        "big5",
        "你好，你怎麼樣？|我不知道該怎麼辦。|我的鑰匙在哪裡？|你今晚回家嗎？"
        "|這不可能，我昨天看見他了。|請等等我。|已經太晚了。|我們得在我父親來之前離開。",
    ),
    "ja": (
        "cp932",
        "こんにちは、お元気ですか？|何をすればいいのか分からない。|私の鍵はどこですか？|今夜は家に帰ってくる？"
        "|それはあり得ない、昨日彼を見たんだ。|お願い、待ってください。|もう遅すぎる。|父が来る前に行かなければ。",
    ),
    "ko": (
        "cp949",
        "안녕하세요, 어떻게 지내세요?|무엇을 해야 할지 모르겠어요.|내 열쇠가 어디 있지?|오늘 저녁에 집에 올 거야?"
        "|그건 불가능해, 어제 그를 봤어.|제발 기다려 줘.|이미 너무 늦었어.|아버지가 오시기 전에 가야 해.",
    ),
    "fr": (
        "cp1252",
        "Bonjour, comment ça va ?|Je ne sais pas quoi faire.|Où sont mes clés ?|Tu rentres à la maison ?"
        "|C’est impossible, je l’ai vu hier.|S’il te plaît, attends-moi.|Il est déjà trop tard.|Avant mon père.",
    ),
    "en": (
        "cp1252",
        "Hello, how are you?|I don’t know what to do.|Where are my keys?|Are you coming home tonight?"
        "|It’s impossible, I saw him yesterday…|Please wait for me.|It’s already too late.|“We have to go,” he said.",
    ),
}


def subrip(lines: list[str]) -> str:
    return "".join(
        f"{i}\n00:00:{2 * i:02d},000 --> 00:00:{2 * i + 1:02d},500\n{line}\n\n" for i, line in enumerate(lines, 1)
    )


@pytest.mark.parametrize("language", LINES)
def test_the_language_in_the_name_tells_the_encoding(language):
    encoding, text = LINES[language]
    for lines in ([text.split("|")[0] + "’" * (language in ("fr", "en"))], text.split("|")):
        text = subrip(lines)
        try:
            assert decode_text(text.encode(encoding), language) == (text, "encoding_detected")
        except AnnotationError:
            assert language == "ru" and len(lines) == 1  # as likely in KOI8-R


@pytest.mark.parametrize("language", LINES)
def test_without_a_language_it_is_told_from_the_text_or_refused(language):
    encoding, text = LINES[language]
    told = 0
    for size in (1, 2, 4, 8):
        for start in range(0, 8, size):
            text = subrip(LINES[language][1].split("|")[start : start + size])
            if text.isascii():
                continue
            try:
                assert decode_text(text.encode(encoding))[0] == text
                told += size
            except AnnotationError as error:
                assert "its encoding cannot be told" in str(error) and "annotate.encoding" in str(error)
    assert told >= 8 or language == "ja"


def test_few_bytes_that_many_encodings_read_are_refused_with_their_names():
    data = subrip(["你好世界"]).encode("gb18030")
    with pytest.raises(AnnotationError, match="cp949, .*gb18030 fit alike"):
        decode_text(data)
    assert decode_text(data, encoding="gb18030") == (subrip(["你好世界"]), "encoding_detected")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_needs_no_flag(encoding):
    assert decode_text("größer\r\nals\rdas 你好".encode(encoding)) == ("größer\nals\ndas 你好", "")
    assert decode_text(codecs.BOM_UTF16_BE + "a\u4f60".encode("utf-16-be")) == ("a\u4f60", "")
    assert decode_text(codecs.BOM_UTF32_BE + "a\u4f60".encode("utf-32-be")) == ("a\u4f60", "")


@pytest.mark.parametrize("bad", [b"\xff", b"\xe4", b"\x92", b"\xc3"])
def test_one_bad_byte_costs_itself(bad):
    whole = "Fünf größere Öfen, hélas"
    data = whole.encode() + b" " + bad + b" " + whole.encode()
    assert decode_text(data) == (f"{whole} \ufffd {whole}", "invalid_utf8")
    assert decode_text(data, encoding="utf-8") == (f"{whole} \ufffd {whole}", "invalid_utf8")


def test_with_a_setting_other_encodings_are_not_looked_for():
    data = "größer als das".encode("cp1252")
    with pytest.raises(AnnotationError, match="cannot be read as utf-8 at byte 2"):
        decode_text(data, "de", "utf-8")
    assert decode_text(data, "de", "cp1252") == ("größer als das", "encoding_detected")


@pytest.mark.parametrize("data", [b"\0\1\2", b"abc\0", b"\xff\xfe\x00\xd8"])
def test_binary_data_is_refused(data):
    with pytest.raises(AnnotationError):
        decode_text(data)
