use std::{collections::HashMap, sync::LazyLock};

/// Groups of given names that one person may go by. A name may stand in several groups.
///
/// # Source
/// Common English, German, French and Spanish diminutives, collected by hand; no list was copied.
const GROUPS: &str = "\
abigail abby abbie gail
abraham abe abram bram
alan allan allen al
albert al bert bertie
alexander alex alec sandy xander sasha lex
alexandra alex alexa sandra sandy sasha lexi
alfred alf alfie fred
alice ali allie
alison ali allie
amanda mandy manda
andrew andy drew
andrea andi
angela angie
ann anne anna annie nan nancy hannah
anthony tony ant antony
antonia toni
arthur art artie
barbara barb babs barbie
bartholomew bart
beatrice bea trixie
benjamin ben benny benji
bernard bernie
bradley brad
brian bryan
bridget bridie biddy
cameron cam
caroline carolyn carrie caro carol lina
catherine katherine kathryn cathryn cathy kathy kate katie katy kat kitty kay cath katharina
charles charlie chuck chas carl karl
charlotte charlie lottie
christina christine chris chrissy tina kirsten christa
christopher chris kit topher
clifford cliff
cornelius con neil
cynthia cindy
daniel dan danny
danielle dani
david dave davey davy
deborah debra deb debbie
dennis denny
dominic dom nick
donald don donny
dorothy dot dottie dolly
douglas doug
edmund ed eddie ned ted
edward ed eddie ned ted teddy
eleanor ellie nell nellie nora lena ellen
elizabeth elisabeth liz lizzie lizzy beth betty bess eliza elsie libby lisa lise lily elisa
emily em emmy millie
emma em emmy
ernest ernie
eugene gene
florence flo flossie
frances fran fanny frankie francesca
francis frank frankie franz francisco
frederick fred freddie freddy fritz friedrich
gabriel gabe
gabrielle gabby gaby
geoffrey geoff jeff jeffrey
george georgie jorge georg
georgina georgie gina
gerald gerry jerry
gerard gerry jerry gerhard
gertrude gertie trudy
gregory greg gregor
gwendolyn gwen
harold harry hal
henry harry hank hal heinrich heinz
henrietta etta hetty
herbert herb bert bertie
isabella isabel isabelle bella izzy belle
isaac ike zac
jacob jake jack jakob
jacqueline jackie jacqui
james jim jimmy jamie jem
jane janie janet jenny
jennifer jen jenny jenna
jeremy jem jerry
jessica jess jessie
joan joanie jo
joanna joanne jo
john jack johnny jon johann hans juan jean
jonathan jon john jonny
joseph joe joey josef jose pepe sepp
josephine jo josie
joshua josh
judith judy jude
julia julie jules juliet
kenneth ken kenny
kimberly kim kimberley
kristen kris kirsty
laura laurie lora
lawrence laurence larry laurie lars
leonard len lenny leo
leonardo leo
leslie les lesley
lillian lily lil lilly
louis lou louie lewis ludwig luis
louise lou lulu
lucas luke luca lukas
lucy lucille lucia
madeline madeleine maddie maddy
magdalena lena magda
manuel manny
margaret maggie meg peggy marge margie greta rita daisy mags margarete
maria mary marie mia mitzi
marjorie marge margie
martha marty mattie
martin marty
mary molly polly mamie may
matilda tilly mattie tilda
matthew matt matty
maximilian max
melanie mel
melissa mel missy lissa
michael mike mick micky mikey mickey miguel michel
michelle shelly micki
mildred millie
miranda mandy randy
mitchell mitch
nathan nate nat
nathaniel nate nat nathan
nicholas nick nicky nico klaus nicolas
nicole nicky nikki
oliver ollie
olivia liv livvy
pamela pam
patricia pat patty trish tricia patsy
patrick pat paddy rick
peter pete pedro pierre
philip phillip phil pip
prudence pru
rachel rach rae
raymond ray
rebecca becky becca bec
reginald reg reggie
richard rick ricky dick rich richie ricardo
robert bob bobby rob robbie robin bert roberto
roberta bobbie
rodney rod
roger rog
ronald ron ronnie
rosemary rose rosie
russell russ
ruth ruthie
samantha sam sammy
samuel sam sammy
sarah sara sally sadie
sebastian seb bas
sidney sid
sophia sofia sophie
stanley stan
stephanie steph steffi
stephen steven steve stevie stefan
stuart stewart stu
susan sue suzie suzy susanna suzanne
sylvia syl sylvie
terence terry terrence
theodore ted teddy theo
theresa teresa terry tess tessa tracy
thomas tom tommy tomas
timothy tim timmy
valerie val
veronica ronnie vera
victor vic
victoria vicky vicki tori vic
vincent vin vince vinny
virginia ginny ginger
walter walt wally
wendy wen
wilhelmina mina minnie willa
william will bill billy willy willie liam wilhelm guillermo
winifred winnie fred
zachary zac zach zack
";

/// The groups that a folded given name stands in, at most four; 0 fills up.
pub(crate) fn groups(name: &str) -> [u16; 4] {
    static BY_NAME: LazyLock<HashMap<&str, [u16; 4]>> = LazyLock::new(|| {
        let mut by_name: HashMap<&str, [u16; 4]> = HashMap::new();
        for (group, names) in (1..).zip(GROUPS.lines()) {
            for name in names.split(' ') {
                let places = by_name.entry(name).or_default();
                if let Some(free) = places.iter_mut().find(|place| **place == 0) {
                    *free = group;
                }
            }
        }
        by_name
    });
    BY_NAME.get(name).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn related(a: &str, b: &str) -> bool {
        groups(a).iter().any(|g| *g != 0 && groups(b).contains(g))
    }

    #[test]
    fn joins_what_people_call_each_other() {
        assert!(related("bob", "robert") && related("peggy", "margaret") && related("hans", "johann"));
        assert!(!related("bob", "margaret") && !related("zzz", "yyy"));
    }
}
