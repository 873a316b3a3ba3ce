// SPDX-License-Identifier: Apache-2.0
#include "data/demo_lexicon.h"

#include <array>
#include <string>

#include "base/check.h"

namespace linformer::demo {
namespace {

constexpr Gender kM = Gender::kMasculine;
constexpr Gender kF = Gender::kFeminine;
constexpr Gender kN = Gender::kNeuter;
constexpr Posture kLies = Posture::kLies;
constexpr Posture kStands = Posture::kStands;
constexpr Posture kSits = Posture::kSits;

constexpr auto kNouns = std::to_array<Noun>({
    {"man", "men", "Mann", "Männer", kM, kPersonNoun | kAdult},
    {"woman", "women", "Frau", "Frauen", kF, kPersonNoun | kAdult},
    {"child", "children", "Kind", "Kinder", kN, kPersonNoun},
    {"boy", "boys", "Junge", "Jungen", kM, kPersonNoun, kStands, "Jungen"},
    {"girl", "girls", "Mädchen", "Mädchen", kN, kPersonNoun},
    {"teacher", "teachers", "Lehrer", "Lehrer", kM, kPersonNoun | kAdult},
    {"doctor", "doctors", "Arzt", "Ärzte", kM, kPersonNoun | kAdult},
    {"student", "students", "Student", "Studenten", kM, kPersonNoun | kAdult, kStands, "Studenten"},
    {"neighbour", "neighbours", "Nachbar", "Nachbarn", kM, kPersonNoun | kAdult | kRelative,
     kStands, "Nachbarn"},
    {"friend", "friends", "Freund", "Freunde", kM, kPersonNoun | kAdult | kRelative},
    {"brother", "brothers", "Bruder", "Brüder", kM, kRelative},
    {"sister", "sisters", "Schwester", "Schwestern", kF, kRelative},
    {"mother", "", "Mutter", "", kF, kRelative},
    {"father", "", "Vater", "", kM, kRelative},
    {"daughter", "daughters", "Tochter", "Töchter", kF, kRelative},
    {"son", "sons", "Sohn", "Söhne", kM, kRelative},
    {"dog", "dogs", "Hund", "Hunde", kM, kAnimal, kSits},
    {"cat", "cats", "Katze", "Katzen", kF, kAnimal, kSits},
    {"horse", "horses", "Pferd", "Pferde", kN, kAnimal},
    {"apple", "apples", "Apfel", "Äpfel", kM, kFood, kLies},
    {"banana", "bananas", "Banane", "Bananen", kF, kFood, kLies},
    {"egg", "eggs", "Ei", "Eier", kN, kFood, kLies},
    {"cake", "cakes", "Kuchen", "Kuchen", kM, kFood},
    {"book", "books", "Buch", "Bücher", kN, kReading, kLies},
    {"letter", "letters", "Brief", "Briefe", kM, kReading, kLies},
    {"newspaper", "newspapers", "Zeitung", "Zeitungen", kF, kReading, kLies},
    {"key", "keys", "Schlüssel", "Schlüssel", kM, kThing, kLies},
    {"bag", "bags", "Tasche", "Taschen", kF, kThing},
    {"bottle", "bottles", "Flasche", "Flaschen", kF, kThing},
    {"picture", "pictures", "Bild", "Bilder", kN, kThing},
    {"present", "presents", "Geschenk", "Geschenke", kN, kThing, kLies},
    {"ball", "balls", "Ball", "Bälle", kM, kThing, kLies},
    {"coat", "coats", "Mantel", "Mäntel", kM, kClothing, kLies},
    {"shirt", "shirts", "Hemd", "Hemden", kN, kClothing, kLies},
    {"jacket", "jackets", "Jacke", "Jacken", kF, kClothing, kLies},
    {"hat", "hats", "Hut", "Hüte", kM, kClothing, kLies},
    {"car", "cars", "Auto", "Autos", kN, kVehicle},
    {"bicycle", "bicycles", "Fahrrad", "Fahrräder", kN, kVehicle},
    {"table", "tables", "Tisch", "Tische", kM, kFurniture},
    {"chair", "chairs", "Stuhl", "Stühle", kM, kFurniture},
    {"bed", "beds", "Bett", "Betten", kN, kFurniture},
    {"door", "doors", "Tür", "Türen", kF, kOpening},
    {"window", "windows", "Fenster", "Fenster", kN, kOpening},
    {"lamp", "lamps", "Lampe", "Lampen", kF, kDevice},
    {"radio", "radios", "Radio", "Radios", kN, kDevice},
    {"computer", "computers", "Computer", "Computer", kM, kDevice},
    {"house", "houses", "Haus", "Häuser", kN, kBuilding},
    {"coffee", "", "Kaffee", "", kM, kMass},
    {"tea", "", "Tee", "", kM, kMass},
    {"milk", "", "Milch", "", kF, kMass},
    {"water", "", "Wasser", "", kN, kMass},
});

constexpr std::uint32_t kGoods = kReading | kThing | kClothing | kVehicle | kFurniture | kDevice;
constexpr std::uint32_t kColoured = kThing | kClothing | kVehicle | kFurniture | kDevice | kOpening;
constexpr std::uint32_t kLiving = kAdult | kAnimal;

constexpr auto kAdjectives = std::to_array<Adjective>({
    {"red", "rot", "rot", "", "", kColoured},
    {"blue", "blau", "blau", "", "", kColoured},
    {"green", "grün", "grün", "", "", kColoured},
    {"black", "schwarz", "schwarz", "", "", kColoured | kAnimal},
    {"white", "weiß", "weiß", "", "", kColoured | kAnimal},
    {"big", "groß", "groß", "bigger", "größer", kGoods | kAnimal | kFood | kOpening | kBuilding},
    {"small", "klein", "klein", "smaller", "kleiner",
     kGoods | kAnimal | kFood | kOpening | kBuilding},
    {"new", "neu", "neu", "newer", "neuer", kGoods | kBuilding},
    {"old", "alt", "alt", "older", "älter", kGoods | kLiving | kBuilding | kOpening},
    {"young", "jung", "jung", "younger", "jünger", kAdult | kAnimal},
    {"good", "gut", "gut", "better", "besser", kFood | kReading},
    {"beautiful", "schön", "schön", "more beautiful", "schöner", kGoods | kAnimal | kBuilding},
    {"expensive", "teuer", "teur", "more expensive", "teurer", kGoods | kBuilding},
    {"cheap", "billig", "billig", "cheaper", "billiger", kGoods},
    {"heavy", "schwer", "schwer", "heavier", "schwerer", kThing | kFurniture},
    {"friendly", "freundlich", "freundlich", "", "", kPersonNoun},
});

constexpr std::uint32_t kPeople = kPersonNoun | kRelative;
constexpr std::uint32_t kPortable = kReading | kThing | kClothing;
constexpr std::uint32_t kTrade = kShopPlace | kCity;
constexpr bool kSein = true;
constexpr bool kHaben = false;
constexpr bool kStative = true;

constexpr auto kVerbs = std::to_array<Verb>({
    {"eat eats eating ate", "", "", "", "essen esse isst isst gegessen iss", kFood,
     kIndoors | kOutdoors | kWorkPlace},
    {"drink drinks drinking drank", "", "", "", "trinken trinke trinkst trinkt getrunken trink",
     kMass, kIndoors | kWorkPlace},
    {"buy buys buying bought", "", "", "", "kaufen kaufe kaufst kauft gekauft kauf", kGoods | kFood,
     kTrade},
    {"sell sells selling sold", "", "", "",
     "verkaufen verkaufe verkaufst verkauft verkauft verkauf", kGoods | kFood, kTrade},
    {"read reads reading read", "", "", "", "lesen lese liest liest gelesen lies", kReading,
     kIndoors | kOutdoors | kWorkPlace},
    {"write writes writing wrote", "", "", "",
     "schreiben schreibe schreibst schreibt geschrieben schreib", 0, kWorkPlace},
    {"find finds finding found", "", "", "", "finden finde findest findet gefunden -",
     kThing | kReading | kClothing | kAnimal, kOutdoors | kTransit | kWorkPlace, kHaben, kStative},
    {"look looks looking looked", "", "for", "", "suchen suche suchst sucht gesucht such",
     kThing | kReading | kClothing | kAnimal, kOutdoors | kTransit | kWorkPlace},
    {"see sees seeing saw", "", "", "", "sehen sehe siehst sieht gesehen -",
     kPeople | kAnimal | kVehicle, kLeisure | kOutdoors | kTransit | kTrade, kHaben, kStative},
    {"need needs needing needed", "", "", "", "brauchen brauche brauchst braucht gebraucht -",
     kGoods | kFood, 0, kHaben, kStative},
    {"have has having had", "", "", "", "haben habe hast hat gehabt -", kGoods | kAnimal, 0, kHaben,
     kStative, Case::kAccusative, "", "hatte hattest hatten"},
    {"know knows knowing knew", "", "", "", "kennen kenne kennst kennt gekannt -", kPeople, 0,
     kHaben, kStative, Case::kAccusative, "", "kannte kanntest kannten"},
    {"wear wears wearing wore", "", "", "", "tragen trage trägst trägt getragen trag", kClothing,
     kWorkPlace},
    {"put puts putting put", "on", "", "an", "ziehen ziehe ziehst zieht angezogen zieh", kClothing,
     0},
    {"wash washes washing washed", "", "", "", "waschen wasche wäschst wäscht gewaschen wasch",
     kClothing | kVehicle | kAnimal, kGarden},
    {"repair repairs repairing repaired", "", "", "",
     "reparieren repariere reparierst repariert repariert repariere",
     kVehicle | kDevice | kFurniture, kGarden},
    {"open opens opening opened", "", "", "auf", "machen mache machst macht aufgemacht mach",
     kOpening, 0},
    {"close closes closing closed", "", "", "zu", "machen mache machst macht zugemacht mach",
     kOpening, 0},
    {"turn turns turning turned", "on", "", "ein",
     "schalten schalte schaltest schaltet eingeschaltet schalte", kDevice, 0},
    {"turn turns turning turned", "off", "", "aus",
     "schalten schalte schaltest schaltet ausgeschaltet schalte", kDevice, 0},
    {"visit visits visiting visited", "", "", "",
     "besuchen besuche besuchst besucht besucht besuch", kPeople, kCity},
    {"call calls calling called", "", "", "an", "rufen rufe rufst ruft angerufen ruf", kPeople, 0},
    {"invite invites inviting invited", "", "", "ein", "laden lade lädst lädt eingeladen lade",
     kPeople, 0},
    {"meet meets meeting met", "", "", "", "treffen treffe triffst trifft getroffen -", kPeople,
     kAnyPlace},
    {"pick picks picking picked", "up", "", "ab", "holen hole holst holt abgeholt hol", kPeople,
     kTransit},
    {"help helps helping helped", "", "", "", "helfen helfe hilfst hilft geholfen hilf", kPeople,
     kIndoors | kWorkPlace, kHaben, false, Case::kDative},
    {"thank thanks thanking thanked", "", "", "", "danken danke dankst dankt gedankt dank", kPeople,
     0, kHaben, false, Case::kDative},
    {"wait waits waiting waited", "", "for", "", "warten warte wartest wartet gewartet warte",
     kPeople, kTransit | kLeisure | kOutdoors | kWorkPlace, kHaben, false, Case::kAccusative,
     "auf"},
    {"give gives giving gave", "", "", "", "geben gebe gibst gibt gegeben gib", kPortable | kFood,
     0},
    {"show shows showing showed", "", "", "", "zeigen zeige zeigst zeigt gezeigt zeig",
     kPortable | kVehicle, 0},
    {"send sends sending sent", "", "", "", "schicken schicke schickst schickt geschickt schick",
     kPortable, 0},
    {"bring brings bringing brought", "", "", "", "bringen bringe bringst bringt gebracht bring",
     kPortable | kFood, 0},
    {"sleep sleeps sleeping slept", "", "", "",
     "schlafen schlafe schläfst schläft geschlafen schlaf", 0, kIndoors | kGarden},
    {"work works working worked", "", "", "", "arbeiten arbeite arbeitest arbeitet gearbeitet -", 0,
     kIndoors | kWorkPlace | kCity | kTransit},
    {"play plays playing played", "", "", "", "spielen spiele spielst spielt gespielt spiel", 0,
     kIndoors | kOutdoors},
    {"dance dances dancing danced", "", "", "", "tanzen tanze tanzt tanzt getanzt tanz", 0,
     kIndoors | kOutdoors},
    {"get gets getting got", "up", "", "auf", "stehen stehe stehst steht aufgestanden steh", 0, 0,
     kSein},
    {"come comes coming came", "back", "", "zurück",
     "kommen komme kommst kommt zurückgekommen komm", 0, 0, kSein},
    {"go goes going went", "", "", "", "gehen gehe gehst geht gegangen geh", 0, 0, kSein},
    {"drive drives driving drove", "", "", "", "fahren fahre fährst fährt gefahren fahr", 0, 0,
     kSein},
    {"fly flies flying flew", "", "", "", "fliegen fliege fliegst fliegt geflogen flieg", 0, 0,
     kSein},
    {"stay stays staying stayed", "", "", "", "bleiben bleibe bleibst bleibt geblieben bleib", 0,
     kAnyPlace, kSein},
    {"live lives living lived", "", "", "", "wohnen wohne wohnst wohnt gewohnt -", 0, kCity, kHaben,
     kStative},
    {"put puts putting put", "", "", "", "legen lege legst legt gelegt leg", 0, 0},
    {"put puts putting put", "", "", "", "stellen stelle stellst stellt gestellt stell", 0, 0},
    {"be is being was", "", "", "", "sein bin bist ist gewesen sei", 0, kAnyPlace, kSein, kStative,
     Case::kNominative, "", "war warst waren"},
});

constexpr auto kPlaces = std::to_array<Place>({
    {"in the kitchen", "to the kitchen", "in der Küche", "in die Küche", kIndoors},
    {"in the garden", "to the garden", "im Garten", "in den Garten", kGarden},
    {"at home", "home", "zu Hause", "nach Hause", kIndoors},
    {"in the park", "to the park", "im Park", "in den Park", kPark},
    {"at the cinema", "to the cinema", "im Kino", "ins Kino", kLeisure},
    {"in the museum", "to the museum", "im Museum", "ins Museum", kLeisure},
    {"at school", "to school", "in der Schule", "zur Schule", kWorkPlace},
    {"in the office", "to the office", "im Büro", "ins Büro", kWorkPlace},
    {"at the station", "to the station", "am Bahnhof", "zum Bahnhof", kTransit},
    {"at the airport", "to the airport", "am Flughafen", "zum Flughafen", kTransit},
    {"at the market", "to the market", "auf dem Markt", "zum Markt", kShopPlace},
    {"in the city", "to the city", "in der Stadt", "in die Stadt", kShopPlace},
    {"in Berlin", "to Berlin", "in Berlin", "nach Berlin", kCity},
    {"in Hamburg", "to Hamburg", "in Hamburg", "nach Hamburg", kCity},
    {"in Munich", "to Munich", "in München", "nach München", kCity},
    {"in Vienna", "to Vienna", "in Wien", "nach Wien", kCity},
    {"in Cologne", "to Cologne", "in Köln", "nach Köln", kCity},
});

constexpr auto kModals = std::to_array<Modal>({
    {"can", "can", "cannot", "cannot", "", "", "kann kannst kann können", "", ""},
    {"have to", "has to", "do not have to", "does not have to", "do", "have to",
     "muss musst muss müssen", "had to", "musste musstest musste mussten"},
    {"want to", "wants to", "do not want to", "does not want to", "do", "want to",
     "will willst will wollen", "wanted to", "wollte wolltest wollte wollten"},
    {"should", "should", "should not", "should not", "", "", "sollte solltest sollte sollten", "",
     ""},
    {"would like to", "would like to", "", "", "would", "like to", "möchte möchtest möchte möchten",
     "", ""},
});

constexpr auto kTwoWay = std::to_array<WordPair>({
    {"on", "auf"},
    {"under", "unter"},
    {"next to", "neben"},
    {"behind", "hinter"},
    {"in front of", "vor"},
});

constexpr auto kNames = std::to_array<std::string_view>({"Anna", "Maria", "Peter", "Paul"});

template <typename Range>
const auto& named(const Range& range, std::string_view english) {
  for (const auto& entry : range) {
    if (entry.english == english) return entry;
  }
  check_failed("word is in the dictionary", __FILE__, __LINE__, std::string(english));
}

}  // namespace

std::span<const Noun> nouns() { return kNouns; }
std::span<const Adjective> adjectives() { return kAdjectives; }
std::span<const Verb> verbs() { return kVerbs; }
std::span<const Place> places() { return kPlaces; }
std::span<const Modal> modals() { return kModals; }
std::span<const WordPair> two_way_prepositions() { return kTwoWay; }
std::span<const std::string_view> first_names() { return kNames; }

const Verb& verb_named(std::string_view infinitive) {
  for (const Verb& verb : kVerbs) {
    if (infinitive.starts_with(verb.prefix) &&
        infinitive.substr(verb.prefix.size()) == word_at(verb.german, 0)) {
      return verb;
    }
  }
  check_failed("verb is in the dictionary", __FILE__, __LINE__, std::string(infinitive));
}
const Noun& noun_named(std::string_view english) { return named(kNouns, english); }
const Adjective& adjective_named(std::string_view english) { return named(kAdjectives, english); }

std::string_view word_at(std::string_view words, std::size_t index) {
  for (; index > 0; --index) {
    const std::size_t space = words.find(' ');
    LF_CHECK(space != std::string_view::npos, std::string(words));
    words.remove_prefix(space + 1);
  }
  return words.substr(0, words.find(' '));
}

}  // namespace linformer::demo
