//! Which part of a data set a folder, a table or a cell stands for, by its name.

use crate::protocol::Part;

/// Words that stand for a part, in lower case, in the languages that data sets come in. Sets for retrieval and
/// re-identification call their test images `query` (or `probe`) and `gallery`.
const WORDS: [(Part, &[&str]); 4] = [
    (
        Part::Train,
        &[
            "train",
            "training",
            "trainval",
            "trn",
            "xtrain",
            "entrenamiento",
            "entraînement",
            "entrainement",
            "apprentissage",
            "treino",
            "treinamento",
            "addestramento",
            "allenamento",
            "eğitim",
            "egitim",
            "trening",
            "treningowy",
            "treningowe",
            "träning",
            "latih",
            "pelatihan",
            "обучение",
            "обучающая",
            "обучающие",
            "тренировочная",
            "тренировочные",
            "huấnluyện",
            "trenowanie",
            "treningowa",
            "treningowych",
            "uczenie",
            "uczące",
            "træning",
            "opplæring",
            "koulutus",
            "opetus",
            "trénovací",
            "trénování",
            "trenovací",
            "trénovacia",
            "tréning",
            "tanító",
            "tanuló",
            "antrenare",
            "antrenament",
            "εκπαίδευση",
            "навчання",
            "тренувальна",
            "тренування",
            "тренировка",
            "тренировочный",
            "обучающий",
            "обучающих",
            "обучения",
            "трениране",
            "trenering",
            "opleiding",
            "trainieren",
            "entrenar",
            "entrenamientos",
            "formación",
            "entrenam",
            "ensino",
            "formazione",
            "apprendimento",
            "eğit",
            "öğrenme",
            "تدريب",
            "تدریب",
            "آموزش",
        ],
    ),
    (
        Part::Validation,
        &[
            "val",
            "valid",
            "xval",
            "validation",
            "validate",
            "dev",
            "eval",
            "evaluation",
            "validierung",
            "validación",
            "validacion",
            "validação",
            "validacao",
            "validazione",
            "validasi",
            "doğrulama",
            "dogrulama",
            "walidacja",
            "walidacyjny",
            "валидация",
            "валидационная",
            "валидационный",
            "валидационные",
            "валідація",
            "валидиране",
            "walidacyjne",
            "walidacyjna",
            "walidacyjnych",
            "validace",
            "validační",
            "validácia",
            "validačná",
            "validáció",
            "validare",
            "validointi",
            "validering",
            "valideringsdata",
            "validatie",
            "επικύρωση",
            "geçerleme",
            "doğrula",
            "validar",
            "valider",
            "التحقق",
            "اعتبارسنجی",
        ],
    ),
    (
        Part::Test,
        &[
            "test",
            "testing",
            "tests",
            "tst",
            "xtest",
            "unseen",
            "heldout",
            "holdout",
            "prueba",
            "pruebas",
            "teste",
            "testowy",
            "testowe",
            "uji",
            "pengujian",
            "тест",
            "тестовая",
            "тестовые",
            "тестирование",
            "тестовый",
            "тестовых",
            "проверка",
            "проверочная",
            "проверочные",
            "тестова",
            "тестування",
            "перевірка",
            "перевірочна",
            "тестване",
            "testowa",
            "testowych",
            "testowanie",
            "testovací",
            "testování",
            "testovanie",
            "teszt",
            "testare",
            "testi",
            "testaus",
            "essai",
            "essais",
            "épreuve",
            "verifica",
            "verifiche",
            "collaudo",
            "prova",
            "provas",
            "examen",
            "prüfung",
            "prüf",
            "avaliação",
            "avaliacao",
            "evaluación",
            "evaluacion",
            "évaluation",
            "valutazione",
            "değerlendirme",
            "sınama",
            "ujian",
            "toetsing",
            "δοκιμή",
            "اختبار",
            "آزمون",
            "ٹیسٹ",
            "query",
            "queries",
            "gallery",
            "probe",
        ],
    ),
    (
        Part::Unlabelled,
        &[
            "pred",
            "predict",
            "prediction",
            "predictions",
            "unlabelled",
            "unlabeled",
            "inference",
        ],
    ),
];

/// The same in scripts that put no blanks between words: they count wherever they stand.
const GLYPHS: [(Part, &[&str]); 3] = [
    (
        Part::Train,
        &[
            "训练",
            "訓練",
            "学習",
            "훈련",
            "학습",
            "トレーニング",
            "教師",
            "ฝึก",
        ],
    ),
    (
        Part::Validation,
        &["验证", "驗證", "検証", "검증", "校验", "校驗"],
    ),
    (
        Part::Test,
        &[
            "测试",
            "測試",
            "テスト",
            "테스트",
            "시험",
            "评估",
            "評価",
            "評估",
            "試験",
            "평가",
            "查询",
            "图库",
            "ทดสอบ",
        ],
    ),
];

/// What a part's word is glued to or stands beside, and which says nothing itself.
const FILLERS: [&str; 40] = [
    "set",
    "sets",
    "data",
    "dataset",
    "datasets",
    "images",
    "image",
    "imgs",
    "img",
    "pics",
    "pictures",
    "photos",
    "split",
    "seg",
    "folder",
    "files",
    "daten",
    "sdaten",
    "bilder",
    "sbilder",
    "satz",
    "labels",
    "jpg",
    "png",
    "out",
    "list",
    "lists",
    "ids",
    "id",
    "index",
    "idx",
    "samples",
    "names",
    "file",
    "filenames",
    "public",
    "private",
    "bounding",
    "box",
    "bbox",
];

/// Things whose names have a word for a part in them.
const THINGS: [[&str; 2]; 20] = [
    ["test", "tube"],
    ["test", "tubes"],
    ["test", "strip"],
    ["test", "strips"],
    ["test", "kit"],
    ["test", "kits"],
    ["test", "card"],
    ["test", "pattern"],
    ["test", "track"],
    ["test", "drive"],
    ["steam", "train"],
    ["freight", "train"],
    ["goods", "train"],
    ["bullet", "train"],
    ["passenger", "train"],
    ["toy", "train"],
    ["model", "train"],
    ["speed", "train"],
    ["train", "station"],
    ["space", "probe"],
];

/// Whether a name is that of a thing, though it has a word for a part in it: `steam train`, `test tube`.
pub(super) fn names_thing(name: &str) -> bool {
    let words = words(name);
    (words.windows(2)).any(|pair| THINGS.iter().any(|thing| pair == *thing))
}

/// The words of a name in lower case: split at what is no letter, and where a capital follows a small one.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut small = false;
    for c in name.chars() {
        // A combining accent belongs to its letter.
        let letter = c.is_alphabetic() || matches!(c, '\u{300}'..='\u{36f}');
        if (!letter || (small && c.is_uppercase())) && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        if letter {
            word.extend(c.to_lowercase());
        }
        small = c.is_lowercase();
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

/// The part that one word stands for, alone or glued to a filler (`trainset`, `imagestrain`).
fn of_word(word: &str) -> Option<Part> {
    let exact = |word: &str| {
        WORDS
            .iter()
            .find(|(_, words)| words.contains(&word))
            .map(|w| w.0)
    };
    exact(word)
        .or_else(|| {
            FILLERS.iter().find_map(|filler| {
                let rest = word
                    .strip_suffix(filler)
                    .or_else(|| word.strip_prefix(filler))?;
                exact(rest)
            })
        })
        .or_else(|| {
            GLYPHS
                .iter()
                .find(|(_, glyphs)| glyphs.iter().any(|g| word.contains(g)))
                .map(|g| g.0)
        })
}

/// The part that a name says, and whether it says nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    /// The part.
    pub(super) part: Part,
    /// Whether every other word is a filler: `train_images`, and not `steam train`.
    pub(super) alone: bool,
}

/// What a name says of its part: a word of it counts in any case, with any digits and separators about it.
/// A name with the words of two parts (`train_test_split`) stands for neither, but `train_val` is for
/// training, as `PASCAL VOC` has it.
#[must_use]
pub(super) fn said(name: &str) -> Option<Said> {
    // Longer than any name of a part: no need to look at all of it.
    if name.len() > 200 {
        return None;
    }
    let words = words(name);
    let mut part = None;
    let mut alone = true;
    for word in &words {
        match (of_word(word), part) {
            (None, _) => alone &= FILLERS.contains(&word.as_str()) || word == "hold",
            (Some(found), None) => part = Some(found),
            (Some(found), Some(before)) if found == before => {}
            (Some(Part::Train), Some(Part::Validation))
            | (Some(Part::Validation), Some(Part::Train)) => part = Some(Part::Train),
            _ => return None,
        }
    }
    if part.is_none() && words.windows(2).any(|w| w[0] == "hold" && w[1] == "out") {
        part = Some(Part::Test);
    }
    if part.is_none() && words.windows(2).any(|w| w[0] == "huấn" && w[1] == "luyện") {
        part = Some(Part::Train);
    }
    if part.is_none() && words.windows(2).any(|w| w[0] == "kiểm" && w[1] == "tra") {
        part = Some(Part::Test);
    }
    part.map(|part| Said { part, alone })
}

/// A name without its part's words, digits and separators: that of `cifar-train` and `cifar-test` is `cifar`.
pub(super) fn residue(name: &str) -> String {
    let mut words = words(name);
    words.retain(|word| of_word(word).is_none());
    words.join(" ")
}

/// The word for a part on the command line.
pub(super) const fn word(part: Part) -> &'static str {
    match part {
        Part::Train => "train",
        Part::Validation => "validation",
        Part::Test => "test",
        Part::Unlabelled => "unlabelled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_within_a_name_says_its_part() {
        let cases = [
            (
                Part::Train,
                "train Train TRAIN training_set train_images train_data 01_train TrainSet trainset \
                 images_train train-2 imagesTrain trainlist01 trainindex seg_train trainval Trainingsdaten entraînement \
                 treinamento 训练集 学習データ 훈련 обучающая eğitim pelatihan \
                 bounding_box_train apprentissage trénovací обучение навчання uczące",
            ),
            (
                Part::Validation,
                "val VALID validation_data valset dev eval Validierung validación 验证集 검증 walidacja",
            ),
            (
                Part::Test,
                "query gallery_images bounding_box_test essai verifica 시험 평가 проверка testovací avaliação \
                 test test1 test_set testset testlist testids testsamples testnames 03-testing holdout hold_out Testbilder pruebas 测试 テスト тест",
            ),
            (Part::Unlabelled, "seg_pred predict unlabeled"),
        ];
        for (part, names) in cases {
            for name in names.split_whitespace() {
                assert_eq!(said(name), Some(Said { part, alone: true }), "{name}");
            }
        }
        assert_eq!(said("Train Set").map(|s| s.alone), Some(true));
        assert_eq!(said("steam train").map(|s| s.alone), Some(false));
        assert_eq!(said("huấn luyện").map(|s| s.part), Some(Part::Train));
    }

    #[test]
    fn a_part_of_a_word_says_nothing() {
        for name in "street trains contest latest devices evaluate trainer attest protest valley \
                     strain tested vale developer images set train_test_split 1 invalid testament"
            .split_whitespace()
        {
            assert_eq!(said(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_left_of_a_name() {
        assert_eq!(residue("cifar-train"), residue("cifar_test2"));
        assert_ne!(residue("steam train"), residue("test tube"));
    }
}
